-- Count the living sessions of each client of a realm, a hundred clients and a hundred records at most.
--
-- KEYS[1] clients     zset: client ids, escaped, all of one score, or of lower ones where an earlier version wrote them
-- ARGV[1] now         ms since the epoch
-- ARGV[2] afterScore  0 at first
-- ARGV[3] afterId     empty at first
--
-- Returns {score, client to go on behind or empty at the end, client, count...}; a count of -1 would have taken too long.

-- include: lag, times, keys, reading, walk
local now = tonumber(ARGV[1])
local head, kind, _, realm = parts(KEYS[1])
local clients, score, last = walk(KEYS[1], rank_behind(KEYS[1], ARGV[2], ARGV[3]), 100)
local sessions = head .. kind .. 's:' .. realm .. ':'
local answer = { score, last }
local budget = 100

for i = 1, #clients, 2 do
  local client = clients[i]
  local index = head .. kind .. 'c:' .. realm .. ':' .. client
  local count = redis.call('ZCOUNT', index, '(' .. ARGV[1], '+inf')
  local unsure = redis.call('ZRANGEBYSCORE', index, '(' .. string.format('%.0f', now - SLACK), ARGV[1], 'LIMIT', 0, budget + 1)
  if #unsure > budget then
    count = -1
  else
    budget = budget - #unsure
    for _, id in ipairs(unsure) do
      if stands(sessions .. id, 0, client, now) then
        count = count + 1
      end
    end
  end
  answer[#answer + 1] = client
  answer[#answer + 1] = count
end
return answer
