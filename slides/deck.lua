-- The deck's own rules.  Each slide begins with a heading, and has notes:
--
--   # Title {.class part="v2"}
--   …
--   ::: {.notes minutes=1}
--   **Say.** … (1) … (2) …
--
--   ```{.shell version="v2"}
--   checkout
--   ```
--
--   **Asked.** *A question?* Its answer.
--   :::
--
-- `part` stays until there is another.  (1), (2) … are where to click.  The commands are
-- typed in that version's shell, where the blocks of all slides follow each other; another
-- shell of it is version="v2 again".  With `fails="TEXT"` the last command fails, and says
-- so.
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
         or sources.die('there are no blocks called "%s"', table.concat(block.classes, ' '))
end

local function road(part)
  local html = {}
  for _, name in ipairs(PARTS) do
    html[#html + 1] = ('<span%s>%s</span>'):format(name == part and ' class="here"' or '', name)
  end
  return pandoc.RawBlock('html', '<div class="road">' .. table.concat(html) .. '</div>')
end

local function check_notes(heading)
  if heading and not heading.attributes.timing then
    sources.slide = heading.identifier
    sources.die('there are no notes with minutes')
  end
end

-- Speaker view paces by seconds.
local function deck(doc)
  local slides, part, heading = pandoc.List(), nil, nil
  for _, block in ipairs(doc.blocks) do
    if block.t == 'Header' and block.level == 1 then
      check_notes(heading)
      heading = block
      part = block.attributes.part or part
      if not pandoc.List(PARTS):includes(part) then
        sources.slide = heading.identifier
        sources.die('there is no part "%s"', part)
      end
      heading.attributes.part = nil
    elseif block.t == 'Div' and block.classes:includes('notes') then
      local minutes = tonumber(block.attributes.minutes)
      heading.attributes.timing = minutes and tostring(math.floor(60 * minutes))
      block.attributes.minutes = nil
      slides:insert(road(part))
    end
    slides:insert(block)
  end
  check_notes(heading)
  doc.blocks = slides
  return doc
end

local function enter_slide(heading) sources.slide = heading.identifier end

return { { traverse = 'topdown', Header = enter_slide, CodeBlock = code_block, Span = tables.Span },
         { Pandoc = deck } }
