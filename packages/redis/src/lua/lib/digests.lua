-- Sums by which two sites see whether they hold the same records.
local MODULUS = 281474976710656

-- The same text for the same state, in whatever order its fields were written.
local function canonical(value)
  if type(value) ~= 'table' then
    return '=' .. tostring(value)
  end
  local fields = {}
  for field in pairs(value) do
    fields[#fields + 1] = tostring(field)
  end
  table.sort(fields)
  local texts = {}
  for i, field in ipairs(fields) do
    local held = value[field]
    if held == nil then
      held = value[tonumber(field)]
    end
    texts[i] = #field .. ':' .. field .. canonical(held)
  end
  return '{' .. table.concat(texts, ',') .. '}'
end

-- Adds the digest of a record to the sums, below 2^48, which are by the first byte of the SHA-1 of a name.
local function add_digest(sums, name, state)
  local part = tonumber(string.sub(redis.sha1hex(name), 1, 2), 16)
  local digest = tonumber(string.sub(redis.sha1hex(name .. ' ' .. canonical(state)), 1, 12), 16)
  sums[part] = ((sums[part] or 0) + digest) % MODULUS
end

-- An answer, with part, sum... behind it.
local function with_sums(answer, sums)
  for part, sum in pairs(sums) do
    answer[#answer + 1] = part
    answer[#answer + 1] = string.format('%.0f', sum)
  end
  return answer
end
