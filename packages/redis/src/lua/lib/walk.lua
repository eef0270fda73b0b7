-- The entries of an index from a rank on, with their scores, as many as a step looks at. Then the score and the member behind which
-- the next step goes on, both empty where there is none.
local function walk(index, first, most)
  local entries = redis.call('ZRANGE', index, first, first + most - 1, 'WITHSCORES')
  if #entries < 2 * most then return entries, '', '' end
  return entries, entries[#entries], entries[#entries - 1]
end
