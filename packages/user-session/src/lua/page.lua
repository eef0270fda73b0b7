-- List living sessions of an index behind a place, looking at two more entries than are wanted.
--
-- KEYS[1] index       zset: session ids, scored by expiresAt or a little less
-- ARGV[1] now         ms since the epoch
-- ARGV[2] afterScore  score of the place
-- ARGV[3] afterId     id of the place, empty for its start
-- ARGV[4] limit       sessions wanted
-- ARGV[5] client      escaped; only with this client session alive; empty for any
--
-- Returns {score, id of the last entry looked at or empty at the end, {id, score, {value...}}...}.

-- include: lag, times, keys, reading
local now = tonumber(ARGV[1])
local limit = tonumber(ARGV[4])
local first = behind(KEYS[1], ARGV[2], ARGV[3], now)
local entries = redis.call('ZRANGE', KEYS[1], first, first + limit + 1, 'WITHSCORES')
local answer = { '', '' }
local sessions = sessions_of(KEYS[1])

for i = 1, #entries, 2 do
  local id, score = entries[i], entries[i + 1]
  if stands(sessions .. id, score, ARGV[5], now) then
    local values = redis.call('HVALS', sessions .. id)
    if values[1] then
      answer[#answer + 1] = { id, score, values }
    else
      -- Redis has evicted the record: a count shall not count it. Where nothing may be written, it waits.
      redis.pcall('ZREM', KEYS[1], id)
    end
  end
  if #answer - 2 == limit or i == 2 * limit + 3 then
    answer[1], answer[2] = score, id
    break
  end
end
return answer
