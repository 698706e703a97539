-- The deck's own rules.  Each slide begins with a heading, and has notes:
--
--   # Title {.class part="v2"}
--   …
--   ::: {.notes minutes=1}
--   **Say.** …
--
--   ```{.shell version="v2"}
--   checkout
--   ```
--
--   **Asked.** *A question?* Its answer.
--   :::
--
-- `part` stays until there is another.  The commands are typed in that version's
-- shell, where the blocks of all slides follow each other; with `fails="TEXT"` the
-- last command fails, and says so.
local sources = dofile('slides/sources.lua')
local tables = dofile('slides/tables.lua')
local trees = dofile('slides/trees.lua')

local PARTS = { 'why', 'runtime', 'v1', 'v2', 'v3', 'v4', 'killings', 'proof' }

local function commands(block)
  local version, fails = block.attributes.version, block.attributes.fails
  return pandoc.RawBlock('html', ('<pre class="shell" data-version="%s"%s>%s</pre>')
    :format(version, fails and (' data-fails="%s"'):format(sources.escape(fails)) or '',
            sources.escape(block.text)))
end

local function code_block(block)
  if block.classes:includes('shell') then return commands(block) end
  if block.classes:includes('plain') then
    return pandoc.RawBlock('html', '<pre class="plain">' .. sources.escape(block.text) .. '</pre>')
  end
  return sources.CodeBlock(block) or tables.CodeBlock(block) or trees.CodeBlock(block)
end

local function road(part)
  local html = {}
  for _, name in ipairs(PARTS) do
    html[#html + 1] = ('<span%s>%s</span>'):format(name == part and ' class="here"' or '', name)
  end
  return pandoc.RawBlock('html', '<div class="road">' .. table.concat(html) .. '</div>')
end

-- Speaker view paces by seconds.
local function deck(doc)
  local slides, part, heading = pandoc.List(), nil, nil
  for _, block in ipairs(doc.blocks) do
    if block.t == 'Header' and block.level == 1 then
      if heading and not heading.attributes.timing then
        sources.die('slide "%s" has no notes with minutes', heading.identifier)
      end
      heading = block
      part = block.attributes.part or part
      heading.attributes.part = nil
    elseif block.t == 'Div' and block.classes:includes('notes') then
      heading.attributes.timing = tostring(math.floor(60 * block.attributes.minutes))
      block.attributes.minutes = nil
      slides:insert(road(part))
    end
    slides:insert(block)
  end
  if not heading.attributes.timing then
    sources.die('slide "%s" has no notes with minutes', heading.identifier)
  end
  doc.blocks = slides
  return doc
end

return { { CodeBlock = code_block, Span = tables.Span }, { Pandoc = deck } }
