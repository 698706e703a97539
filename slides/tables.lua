-- Tables whose figures and words stand somewhere else.
--
--   ```{.versions upto="v2"}       README.md's table of versions, up to one
--   ```{.sizes}                    how many lines the sources have
--   ```{.bench}                    tests/bench/README.md's rows of these names,
--   check-out + check-in, 1 client one each line;
--   ```                             with most="1": only while none is more
--   []{.bench row="check-out + check-in, 1 client" column="v4"}
local tables = {}
local sources = dofile('slides/sources.lua')
local die, escape = sources.die, sources.escape

local VERSIONS = { 'v1', 'v2', 'v3', 'v4' }

-- The versions

local function split_row(line)
  local cells = {}
  for cell in line:gmatch('|([^|]+)') do
    cells[#cells + 1] = cell:match('^%s*(.-)%s*$')
  end
  return cells
end

local function read_versions()
  local rows
  for _, line in ipairs(sources.read_lines('README.md')) do
    if line:find('^| | v1 |') then
      rows = {}
    elseif rows and line:find('^|') then
      if not line:find('^|%-') then rows[#rows + 1] = split_row(line) end
    elseif rows then
      return rows
    end
  end
  die('README.md: there is no table of versions')
end

local function version_cell(text, before, i, upto)
  if i > upto then return '<td></td>' end
  local word, rest = text:match('^(%a+)[:,] (.*)$')
  local class = i == upto and 'now' or 'before'
  if i == upto and before and before ~= text then class = class .. ' new' end
  return ('<td class="%s">%s%s</td>'):format(class, escape(word or text),
    rest and '<small>' .. escape(rest) .. '</small>' or '')
end

local function versions(upto)
  local html = { '<table class="versions"><thead><tr><th></th>' }
  for i, version in ipairs(VERSIONS) do
    html[#html + 1] = ('<th class="%s">%s</th>'):format(
      i == upto and 'now' or 'other', version)
  end
  html[#html + 1] = '</tr></thead><tbody>'
  for _, row in ipairs(read_versions()) do
    html[#html + 1] = '<tr><th>' .. escape(row[1]) .. '</th>'
    for i = 1, #VERSIONS do
      html[#html + 1] = version_cell(row[i + 1], i > 1 and row[i], i, upto)
    end
    html[#html + 1] = '</tr>'
  end
  html[#html + 1] = '</tbody></table>'
  return pandoc.RawBlock('html', table.concat(html))
end

-- The sizes

local SAMPLES = 'demo|shell|observer|workers|sample_|swapi_|chuck_'

local function count_lines(files)
  local pipe = io.popen('cat ' .. files .. ' | wc -l')
  local n = tonumber(pipe:read('a'))
  pipe:close()
  if not n or n == 0 then die('%s: no lines there', files) end
  return n
end

local function grouped(n)
  return (tostring(n):reverse():gsub('(%d%d%d)(%d)', '%1 %2'):reverse())
end

local function sizes()
  local html = { '<table class="sizes"><thead><tr><th>lines</th>' }
  for _, version in ipairs(VERSIONS) do
    html[#html + 1] = '<th>' .. version .. '</th>'
  end
  html[#html + 1] = '</tr></thead><tbody><tr><th>the pool server, and its line</th>'
  for _, version in ipairs(VERSIONS) do
    html[#html + 1] = '<td>' .. grouped(count_lines(
      ('%s/pool_server.c $(ls %s/line.c 2>/dev/null)'):format(version, version))) .. '</td>'
  end
  html[#html + 1] = '</tr><tr><th>the whole pool</th>'
  for _, version in ipairs(VERSIONS) do
    html[#html + 1] = '<td>' .. grouped(count_lines(
      ("$(ls %s/*.[ch] | grep -vE '/(%s)')"):format(version, SAMPLES))) .. '</td>'
  end
  html[#html + 1] = '</tr><tr><th>the runtime below it</th><td colspan="4">' ..
    grouped(count_lines("$(ls common/*.[ch] | grep -vE '/(hello|shell|web|observer)')")) ..
    ', once</td></tr></tbody></table>'
  return pandoc.RawBlock('html', table.concat(html))
end

-- The figures

local COLUMNS = { 'name', 'unit', 'v1', 'v2', 'v3', 'v4', 'poolboy', 'apr_reslist', 'ratio' }

local function read_bench()
  local rows, is_table = {}, false
  for _, line in ipairs(sources.read_lines('tests/bench/README.md')) do
    if line:find('^ +v1 +v2 +v3 +v4 +poolboy +apr_reslist +ratio') then
      is_table = true
    elseif is_table and line == '' then
      return rows
    elseif is_table then
      local row, i = {}, 0
      for field in (line .. '  '):gmatch('(%S.-)%s%s+') do
        i = i + 1
        if COLUMNS[i] then row[COLUMNS[i]] = field end
      end
      rows[row.name] = row
    end
  end
  die('tests/bench/README.md: there is no table')
end

local function bench_row(name)
  return read_bench()[name] or die('tests/bench/README.md: no row is called "%s"', name)
end

-- A row has one unit: µs when v4 and poolboy need one at least.
local function with_unit(row, column)
  local function ns(name)
    return tonumber((row[name]:gsub('[^%d.]', ''))) * (row.unit == 'us' and 1000 or 1)
  end
  if math.min(ns('v4'), ns('poolboy')) < 1000 then
    return grouped(math.floor(ns(column))) .. '\u{a0}ns'
  end
  return (ns(column) < 9950 and '%.1f\u{a0}µs' or '%.0f\u{a0}µs'):format(ns(column) / 1000)
end

-- Nothing in the middle is equal; at the ends it is a hundred times, and more has a mark.
local function bar(ratio)
  local share = math.min(1, math.abs(math.log(ratio, 100))) * 50
  local is_faster = ratio >= 1
  return ('<span class="bar"><i class="%s%s" style="%s: 50%%; width: %.1f%%"></i></span>')
    :format(is_faster and 'faster' or 'slower', share == 50 and ' more' or '',
            is_faster and 'left' or 'right', share)
end

local function bench(names, most)
  local html = { '<table class="bench"><thead><tr><th></th><th>v4</th><th>poolboy</th>',
    '<th><div class="bars"><span>poolboy is faster</span><span>v4 is faster</span></div>' ..
    '<div class="bars"><span>100 ×</span><span>10</span><span>1</span><span>10</span><span>100 ×</span></div></th>',
    '<th></th></tr></thead><tbody>' }
  for name in (names .. '\n'):gmatch('(.-)\n') do
    local row = bench_row(name)
    if tonumber(row.ratio) > most then
      die('"%s": a ratio of %s is too much for that slide', name, row.ratio)
    end
    html[#html + 1] = ('<tr><th>%s</th><td>%s</td><td>%s</td><td>%s</td><td>%s ×</td></tr>')
      :format(escape(name), with_unit(row, 'v4'), with_unit(row, 'poolboy'),
              bar(tonumber(row.ratio)), row.ratio)
  end
  html[#html + 1] = '</tbody></table>'
  return pandoc.RawBlock('html', table.concat(html))
end

function tables.CodeBlock(block)
  if block.classes:includes('versions') then
    return versions(tonumber(block.attributes.upto:sub(2)))
  elseif block.classes:includes('sizes') then
    return sizes()
  elseif block.classes:includes('bench') then
    return bench(block.text, tonumber(block.attributes.most) or math.huge)
  end
end

function tables.Span(span)
  if not span.classes:includes('bench') then return nil end
  local row, column = bench_row(span.attributes.row), span.attributes.column
  if not row[column] then die('tests/bench/README.md: no column is called %s', column) end
  return pandoc.RawInline('html', with_unit(row, column))
end

return tables
