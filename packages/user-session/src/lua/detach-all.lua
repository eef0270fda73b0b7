-- End the living client sessions of a client, looking at a hundred sessions at most.
--
-- KEYS[1] index       zset: session ids, scored by the end of their client session or a little less
-- ARGV[1] now         ms since the epoch
-- ARGV[2] client      escaped
-- ARGV[3] afterScore  0 at first
-- ARGV[4] afterId     empty at first
-- ARGV[5] tell        clients: listeners are told of client sessions; else not sent
--
-- Returns {score, id to go on behind or empty at the end, ended, id, user...}: of each that ended, to tell.

-- include: lag, times, keys, reading, ending, walk
local now = tonumber(ARGV[1])
local entries, score, id = walk(KEYS[1], behind(KEYS[1], ARGV[3], ARGV[4], now), 100)
local answer = { score, id, 0 }
local sessions = sessions_of(KEYS[1])
for i = 1, #entries, 2 do
  local key = sessions .. entries[i]
  local is_there = stands(key, entries[i + 1], ARGV[2], now)
  --@ local gone = nil
  --@details reason = 'client'
  --@details gone = is_there and gone_with(key, links(key) or '', { ARGV[2] }) or nil
  if is_there and end_clients(key, { ARGV[2] }, ARGV[1]) == 1 then
    --@ changed('user-session', key, 'full', gone)
    answer[3] = answer[3] + 1
    if ARGV[5] then
      answer[#answer + 1] = entries[i]
      answer[#answer + 1] = links(key) or ''
    end
  end
end
return answer
