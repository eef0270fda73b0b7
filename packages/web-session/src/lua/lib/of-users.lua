-- Members of the sessions of users with a tag, behind a digest, by their digests, as many as are wanted.
local function of_users(index, tag, digest, wanted)
  -- No text has such a byte: behind every member that begins so.
  local first = digest == '' and '[' .. tag or '(' .. tag .. digest .. '\255'
  local entries = redis.call('ZRANGE', index, first, '(' .. tag .. '\255', 'BYLEX', 'LIMIT', 0, wanted)
  for i, entry in ipairs(entries) do
    entries[i] = string.sub(entry, #tag + 1)
  end
  return entries
end
