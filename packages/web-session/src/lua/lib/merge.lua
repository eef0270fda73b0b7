-- include: lengths
-- Data with names that go and names that get another value, copied byte by byte. Answers lengths and JSON, as they are stored:
-- of each name the bytes of its JSON and those of its value's, where they are not short.
local function merge(lengths, data, unset, set)
  local names, values, place_of = {}, {}, {}
  local function each(all, json, take)
    local at = 2
    for name, value in string.gmatch(all == '' and lengths_of(json) or all, '(%d+),(%d+)') do
      local behind = at + tonumber(name)
      local last = behind + tonumber(value)
      take(string.sub(json, at, behind - 1), string.sub(json, behind + 1, last))
      at = last + 2
    end
  end
  local goes = {}
  for name in string.gmatch(unset, '([^\n]+)\n') do
    goes[name] = true
  end
  local function put(name, value)
    if not place_of[name] then
      place_of[name] = #names + 1
      names[place_of[name]] = name
    end
    values[place_of[name]] = value
  end
  each(lengths, data, function(name, value)
    if not goes[name] then
      put(name, value)
    end
  end)
  local of_set, json = string.match(set, '^([%d,]*):(.*)$')
  if of_set then
    each(of_set, json, put)
  end
  local sizes, parts = {}, {}
  for i, name in ipairs(names) do
    sizes[i] = #name .. ',' .. #values[i]
    parts[i] = name .. ':' .. values[i]
  end
  local merged = '{' .. table.concat(parts, ',') .. '}'
  return #merged > 1024 and table.concat(sizes, ',') or '', merged
end
