-- What the cheat sheet says of the headers: their own words, from the comments.
--
--   ```{.functions of="common/gen_server.h"}   each with its first sentence, and
--   gen_server_call                            what it returns
--   ```
--   ```{.fields of="common/gen_server.h GenServerClass"}   what stands for each @;
--   ```                                        .whole: all of that
--
-- A name that is not there ends the build; so does a function that is nowhere on the
-- sheet, when others of its header are.
local sources = dofile('slides/sources.lua')
local die, escape = sources.die, sources.escape

-- Of a header: what it documents, by name, and the names in their order.
local function read_header(path)
  local text = table.concat(sources.read_lines(path), '\n')
  local entries, names = {}, {}
  for comment, code in text:gmatch('/%*%*\n(.-) %*/\n([^/]*)') do
    local name, rest = comment:match('^ %* ([%w_]+):\n(.*)$')
    local entry = { code = code, fields = {}, text = '', returns = nil }
    local field
    for line in rest:gmatch('[^\n]*') do
      line = line:gsub('^ %* ?', '')
      local begins, first = line:match('^@([%w_]+): (.*)$')
      if begins then
        field = { name = begins, text = first }
        table.insert(entry.fields, field)
      elseif field and line:find('^  ') then
        field.text = field.text .. ' ' .. line:match('^ *(.*)$')
      else
        if line ~= '' then field = nil end
        if line:find('^Returns: ') then entry.returns = '' end
        if entry.returns then
          entry.returns = entry.returns .. ' ' .. line:gsub('^Returns: ', '')
        else
          entry.text = entry.text .. '\n' .. line
        end
      end
    end
    entries[name] = entry
    names[#names + 1] = name
  end
  return entries, names
end

local headers = {}
local function header(path)
  headers[path] = headers[path] or { read_header(path) }
  return headers[path][1]
end

-- GLib's annotations are for those who read the header.
local function plain(text)
  return (text:gsub('^%s*', ''):gsub('^[(][%w%s=_%-]+[)]%s*', '')
              :gsub('^[(][%w%s=_%-]+[)]%s*', ''):gsub('^: ', ''):gsub('^:', ''))
end

local function first_sentence(text)
  text = plain(text):gsub('%s+', ' ')
  return (text:match('^(.-[.;])%s') or text:match('^(.-)%s*$')):gsub('[.;:]$', '')
end

local function to_html(text)
  return (escape(text):gsub('[@%%#]([%a_][%w_]*[%w])', '<code>%1</code>')
                      :gsub('`([^`]+)`', '<code>%1</code>')
                      :gsub('%f[%w_]%l+_[%l_]+ ?%(%)', '<code>%0</code>'))
end

local is_on_sheet, is_listed = {}, {}

local function one_function(path, name)
  local entry = header(path)[name] or die('%s: %s is not documented', path, name)
  local code = entry.code:match('^(.-);') or die('%s: %s has no end', path, name)
  local kind, arguments = code:gsub('%s+', ' '):match('^(.-) ?' .. name .. ' (%b())')
  if not arguments then die('%s: %s is no function', path, name) end
  is_on_sheet[name], is_listed[path] = true, true
  local returns = entry.returns and first_sentence(entry.returns)
  return ('<dt><code>%s<b>%s</b> %s</code></dt><dd>%s%s</dd>'):format(
    escape((kind:gsub('(%w)$', '%1 '))), name, escape(arguments),
    to_html(first_sentence(entry.text)),
    returns and (entry.text:find('%S') and ' → ' or '→ ') .. to_html(returns) or '')
end

local function functions(block)
  local html = { '<dl>' }
  for name in block.text:gmatch('%S+') do
    html[#html + 1] = one_function(block.attributes.of, name)
  end
  return pandoc.RawBlock('html', table.concat(html) .. '</dl>')
end

local function fields(block)
  local path, name = block.attributes.of:match('^(%S+) (%S+)$')
  local entry = header(path)[name] or die('%s: %s is not documented', path, name)
  local is_whole = block.classes:includes('whole')
  local html = { '<table>' }
  for _, field in ipairs(entry.fields) do
    local text = is_whole and plain(field.text):gsub('%.$', '') or first_sentence(field.text)
    -- Of a callback, what it gets and gives.
    local kind, arguments = entry.code:match('\n  (%w+) +%(%*' .. field.name .. '%) *(%b())')
    html[#html + 1] = ('<tr><td><code>%s</code></td><td>%s%s</td></tr>'):format(field.name,
      kind and ('<code>%s %s</code>: '):format(kind, escape(arguments)) or '', to_html(text))
  end
  return pandoc.RawBlock('html', table.concat(html) .. '</table>')
end

local function code_block(block)
  if block.classes:includes('functions') then return functions(block) end
  if block.classes:includes('fields') then return fields(block) end
end

local function check(doc)
  for path in pairs(headers) do
    for _, name in ipairs(headers[path][2]) do
      if is_listed[path] and name:find('^%l') and not is_on_sheet[name] then
        die('%s: %s is not on the cheat sheet', path, name)
      end
    end
  end
  return doc
end

return { { CodeBlock = code_block }, { Pandoc = check } }
