-- Where in a JSON text something ends that begins at a place: the place behind a text, and behind any value.
local function behind_text(json, at)
  while true do
    at = string.find(json, '["\\]', at + 1)
    if string.byte(json, at) == 34 then
      return at + 1
    end
    at = at + 1
  end
end
local function behind_value(json, at)
  local depth = 0
  repeat
    local byte = string.byte(json, at)
    if byte == 34 then
      at = behind_text(json, at)
    elseif byte == 91 or byte == 123 then
      depth = depth + 1
      at = at + 1
    elseif byte == 93 or byte == 125 then
      depth = depth - 1
      at = at + 1
    elseif depth == 0 then
      return string.find(json, '[,}]', at)
    else
      at = string.find(json, '["%[%]{}]', at)
    end
  until depth == 0
  return at
end

-- Of each name of an object the bytes of its JSON and those of its value's.
local function lengths_of(json)
  local sizes, at = {}, 2
  while at < #json do
    local colon = behind_text(json, at)
    local stop = behind_value(json, colon + 1)
    sizes[#sizes + 1] = colon - at .. ',' .. stop - colon - 1
    at = stop + 1
  end
  return table.concat(sizes, ',')
end
