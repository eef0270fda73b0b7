-- Makes the fields beside a record what they should be, given what they are. Answers whether any of them changed.
local function write_beside(beside, held, fields)
  local is_new = false
  for field in pairs(held) do
    if not fields[field] then
      redis.call('HDEL', beside, field)
      is_new = true
    end
  end
  for field, value in pairs(fields) do
    if held[field] ~= value then
      redis.call('HSET', beside, field, value)
      is_new = true
    end
  end
  return is_new
end
