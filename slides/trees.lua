-- Pictures of trees, drawn from what a version's shell prints.
--
--   ```{.tree version="v3" label="…"}
--   tree
--   kill Pool1Server
--   sleep 100
--   tree
--   tree --dot
--   ```
--
-- The commands are run in that version's shell, and the last must be `tree --dot`.
-- If `tree` was asked before, whoever has a + there is painted as new.  What it says of
-- children is seen, and nothing is said of overflow and waiting when there is none.
-- A picture of what no program has is a block {.drawing}, in Graphviz's language.  And a
-- block {.typed version="v3"} shows commands and what that shell answers.
local trees = {}
local sources = dofile('slides/sources.lua')
local die = sources.die

-- Graphviz measures text in a font that is a little wider than the slides'.
local FONT = '-Gbgcolor=transparent -Nfontname="DejaVu Sans" -Efontname="DejaVu Sans"'
local TREE = ' -Nfontsize=15 -Nmargin=0.05,0.04 -Nheight=0.3 -Earrowsize=0.6 ' ..
  '-Granksep=0.24 -Gnodesep=0.1'

local function run(command, input)
  local path = os.tmpname()
  local file = io.open(path, 'w')
  file:write(input, '\n')
  file:close()
  local pipe = io.popen(command .. ' <' .. path)
  local output = pipe:read('a')
  local is_ok = pipe:close()
  os.remove(path)
  if not is_ok then die('%s failed', command) end
  return output
end

-- The lines of the last tree are in the order of the picture's nodes.
local function new_ones(text)
  local last, is_new = {}, {}
  for line in (text .. '\n'):gmatch('(.-)\n') do
    if line:find('^[ *+]? *Pooly%.Supervisor ') then last = {} end
    if line:find('<%d+%.%d+>') and not line:find('^%- ') then last[#last + 1] = line end
  end
  for i, line in ipairs(last) do is_new[i] = line:sub(1, 1) == '+' end
  return is_new
end

local n_pictures = 0

-- Its ids would be another picture's, too.
local function to_svg(dot, label, class, legend)
  local svg = run('dot -Tsvg ' .. FONT .. (class == 'tree' and TREE or ''), dot)
  n_pictures = n_pictures + 1
  svg = svg:gsub('^.-<svg', '<svg role="img" aria-label="' .. sources.escape(label) .. '"')
           :gsub(' id="', ' id="p' .. n_pictures .. '-')
           :gsub('<title>.-</title>\n?', '')
           :gsub(' font%-family="[^"]*"', '')
           :gsub('<!%-%-.-%-%->\n?', '')
  return pandoc.RawBlock('html', ('<div class="picture %s">%s%s</div>')
    :format(class, svg, legend or ''))
end

-- A picture of wide boxes would have to be small.
local function wrap(name, description)
  local limit, lines, line = math.max(#name, 14), {}, nil
  for part in description:gmatch('[^,]+,? ?') do
    if line and #line + #part - 1 > limit then
      lines[#lines + 1], line = line:gsub(' $', ''), nil
    end
    line = (line or '') .. part
  end
  lines[#lines + 1] = line
  return ('label="%s\\n%s"'):format(name, table.concat(lines, '\\n'))
end

-- Between the answers to two commands there is the answer to a third.  Nobody types a
-- `sleep`, and a terminal has no lines' numbers.
local function typed(block)
  local output = run('{ ' .. block.attributes.version .. '/shell 2>&1 || true; }',
                     (block.text:gsub('\n', '\nhelp quit\n')))
  output = output:gsub('line %d+: ', ''):gsub('  quit +end the shell[^\n]*', '\0') .. '\0'
  local answers, html = output:gmatch('\n?(%Z*)%z'), {}
  for command in block.text:gmatch('[^\n]+') do
    local answer = answers()
    if not command:find('^sleep') then
      html[#html + 1] = '<b>&gt; ' .. sources.escape(command) .. '</b>'
      if answer ~= '' then html[#html + 1] = sources.escape((answer:gsub('\n$', ''))) end
    end
  end
  return pandoc.RawBlock('html', '<pre class="typed">' .. table.concat(html, '\n') .. '</pre>')
end

local function tree(block)
  local a = block.attributes
  local output = run(a.version .. '/shell', block.text)
  local text, dot = output:match('^(.-)(digraph tree {.*})')
  if not dot then die('%s: its last command should be tree --dot', a.label) end
  local legend
  for i, is_new in ipairs(new_ones(text)) do
    if is_new then
      legend = '<p class="legend">new</p>'
      dot = dot:gsub('(  n' .. i .. ' %[)', '%1class=new, penwidth=2, ')
    end
  end
  dot = dot:gsub(', %d+ child%a*', ''):gsub(', 0 overflow, 0 waiting', '')
  return to_svg(dot:gsub('label="([^"\\]+)\\n([^"]*)"', wrap), a.label, 'tree', legend)
end

function trees.CodeBlock(block)
  if block.classes:includes('tree') then return tree(block) end
  if block.classes:includes('typed') then return typed(block) end
  if block.classes:includes('drawing') then return to_svg(block.text, block.attributes.label, 'drawing') end
end

return trees
