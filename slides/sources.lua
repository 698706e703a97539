-- What the slides show of the sources: regions by name, and diffs of them.
--
--   ```{.region of="v1/pool_server.c checkout" steps="pop_idle|lend..gen_server_reply"}
--   ```{.difference from="v1/pool_server.c state" to="v2/pool_server.c state"}
--   ```{.patch of="tests/bugs/07-stale-down.patch"}
--
-- `steps` are what the speaker points at, one after the other: a text that stands
-- in a line, or FROM..TO; ` + ` between two of them makes them one step.  `show`
-- is written alike, and leaves out the other lines; `size` is the type's, in pixels,
-- where two pieces of code share a slide.  A region, or a text, that is not there ends
-- the build.
local sources = {}

local MAX_LINES = 16 -- of code on a slide
local SIZES = { 28, 26, 24 } -- of its type, in pixels
local WIDTH = 1162 -- of its lines

sources.slide = '?' -- where we are
function sources.die(format, ...)
  io.stderr:write('slides: on "', sources.slide, '": ', format:format(...), '\n')
  os.exit(1)
end
local die = sources.die

function sources.read_lines(path)
  local file = io.open(path) or die('%s: there is no such file', path)
  local lines = {}
  for line in file:lines() do lines[#lines + 1] = line end
  file:close()
  return lines
end

-- A diff's first column has the marks, and stays, as does a space after it.
local function strip_indent(lines, n_marks)
  local indent = math.huge
  for _, line in ipairs(lines) do
    local spaces, rest = line:match('^( *)(.?)', n_marks + 1)
    if rest ~= '' then indent = math.min(indent, #spaces) end
  end
  indent = math.max(0, indent - n_marks)
  for i, line in ipairs(lines) do
    lines[i] = line:sub(1, n_marks) .. line:sub(n_marks + indent + 1)
  end
  return lines
end

-- The same marks as tests/tools/quote knows.
local function read_region(path, name)
  local lines, depth, is_closed = {}, 0, false
  for _, line in ipairs(sources.read_lines(path)) do
    local begins = line:match('^%s*/%* region: ([%w-]+) %*/$')
    local ends = line:find('^%s*/%* end %*/$')
    if begins == name or (begins and depth > 0) then
      depth = depth + 1
    elseif ends and depth > 0 then
      depth = depth - 1
      is_closed = is_closed or depth == 0
    elseif depth > 0 and not line:find('clang%-format') then
      lines[#lines + 1] = line
    end
  end
  if not is_closed then die('%s: there is no region %s', path, name) end
  return strip_indent(lines, 0)
end

-- A line that is that text goes before one that has it.
local function find(lines, text, from, where)
  for i = from, #lines do
    if lines[i]:match('^%s*(.-)%s*$') == text then return i end
  end
  for i = from, #lines do
    if lines[i]:find(text, 1, true) then return i end
  end
  die('%s: no line has "%s"', where, text)
end

-- `A..B + C` becomes { { first, last }, { first, last } }, in the order of the lines.
local function find_ranges(lines, texts, where)
  local ranges, last = {}, 0
  for text in (texts .. ' + '):gmatch('(.-) %+ ') do
    local from, to = text:match('^(.-)%.%.(.+)$')
    local first = find(lines, from or text, last + 1, where)
    last = to and find(lines, to, first, where) or first
    ranges[#ranges + 1] = { first, last }
  end
  return ranges
end

-- Where some are left out there is a mark, but not for a brace.
local function select(lines, texts, where)
  local kept, last = {}, 0
  local function go_on(from, like)
    local cut = table.concat(lines, '', last + 1, from - 1)
    if cut:find('[^%s}]') then
      kept[#kept + 1] = like:gsub('^[-+]', ' '):match('^ *') .. '…'
    elseif from > last + 1 and from <= #lines then
      kept[#kept + 1] = ''
    end
  end
  for _, range in ipairs(find_ranges(lines, texts, where)) do
    go_on(range[1], lines[range[1]])
    for i = range[1], range[2] do kept[#kept + 1] = lines[i] end
    last = range[2]
  end
  go_on(#lines + 1, kept[#kept])
  return kept
end

-- As reveal.js wants them; the first step is the whole.
local function number_steps(lines, steps, where)
  local numbers = {}
  for step in (steps .. '|'):gmatch('(.-)|') do
    local parts = {}
    for _, range in ipairs(find_ranges(lines, step, where)) do
      parts[#parts + 1] = range[1] == range[2] and range[1]
                          or range[1] .. '-' .. range[2]
    end
    numbers[#numbers + 1] = table.concat(parts, ',')
  end
  return '|' .. table.concat(numbers, '|')
end

local escapes = { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;' }
function sources.escape(text)
  return (text:gsub('[&<>"]', escapes))
end

-- The largest in which all lines fit.
local function font_size(lines, where)
  local width = 0
  for _, line in ipairs(lines) do width = math.max(width, utf8.len(line)) end
  for _, size in ipairs(SIZES) do
    if 0.602 * size * width <= WIDTH and 1.3 * size * #lines <= 505 then return size end
  end
  die('%s: a line of %d characters is too long', where, width)
end

local function to_html(lines, attributes, language, where)
  if attributes.show then
    lines = strip_indent(select(lines, attributes.show, where), language == 'diff' and 1 or 0)
  end
  if #lines > MAX_LINES then
    die('%s: %d lines are too many for a slide', where, #lines)
  end
  local steps = attributes.steps and
    ' data-line-numbers="' .. number_steps(lines, attributes.steps, where) .. '"' or ''
  return pandoc.RawBlock('html', ('<pre style="font-size: %dpx"><code class="language-%s"%s>' ..
                                  '%s</code></pre><p class="source">%s</p>')
    :format(attributes.size or font_size(lines, where), language, steps,
            sources.escape(table.concat(lines, '\n')), sources.escape(where)))
end

local function split(of)
  local path, name = of:match('^(%S+) (%S+)$')
  return path or die('"%s" should be a file and a region', of), name
end

local function write_temporary(lines)
  local path = os.tmpname()
  local file = io.open(path, 'w')
  file:write(table.concat(lines, '\n'), '\n')
  file:close()
  return path
end

local function difference(from, to, context)
  local old, new = write_temporary(read_region(split(from))),
                   write_temporary(read_region(split(to)))
  local pipe = io.popen(('diff -U %d %s %s'):format(context, old, new))
  local lines, n = {}, 0
  for line in pipe:lines() do
    n = n + 1
    if line:find('^@@') then line = n > 3 and '  …' or nil end
    if n > 2 then lines[#lines + 1] = line end
  end
  pipe:close()
  os.remove(old)
  os.remove(new)
  if n == 0 then die('%s and %s do not differ', from, to) end
  return lines
end

local function patch(path)
  local lines
  for _, line in ipairs(sources.read_lines(path)) do
    if line:find('^@@') then
      if lines then lines[#lines + 1] = ' …' end
      lines = lines or {}
    elseif lines then
      lines[#lines + 1] = line
    end
  end
  return lines or die('%s: that is no patch', path)
end

function sources.CodeBlock(block)
  local attributes = block.attributes
  if block.classes:includes('region') then
    local of = attributes.of
    return to_html(read_region(split(of)), attributes, 'c', of)
  elseif block.classes:includes('difference') then
    local from, to = attributes.from, attributes.to
    return to_html(difference(from, to, attributes.context or 99), attributes,
                   'diff', from .. ' → ' .. to)
  elseif block.classes:includes('patch') then
    return to_html(patch(attributes.of), attributes, 'diff', attributes.of)
  end
end

return sources
