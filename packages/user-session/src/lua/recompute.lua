-- Compute the lives of the sessions of a realm anew, a hundred at most.
--
-- KEYS[1] realm        zset: session ids, scored by expiresAt or a little less
-- ARGV[1] now          ms since the epoch
-- ARGV[2] life         spans of a session, ms
-- ARGV[3] clientLives  JSON: spans of client sessions by client, escaped
-- ARGV[4] afterScore   0 at first
-- ARGV[5] afterId      empty at first
--
-- Returns {score, id to go on behind or empty at the end, changed, client...}: clients whose spans are needed; then
-- nothing was written, and the place is the one given.

-- include: lag, times, keys, reading, spans, life, settling, walk
local now = tonumber(ARGV[1])
local spans = cjson.decode(ARGV[3])
local entries, score, id = walk(KEYS[1], behind(KEYS[1], ARGV[4], ARGV[5], now), 100)

local keys, unknown = {}, {}
local answer = { score, id, 0 }
local sessions = sessions_of(KEYS[1])
for i = 1, #entries, 2 do
  local key = sessions .. entries[i]
  if living(key, now) then
    keys[#keys + 1] = key
    for _, client in ipairs(clients_of(key)) do
      if not spans[client] and not unknown[client] then
        unknown[client] = true
        answer[#answer + 1] = client
      end
    end
  end
end
if #answer > 3 then
  answer[1], answer[2] = ARGV[4], ARGV[5]
  return answer
end

-- A full server goes on with a script that began with a write that cannot grow.
redis.call('ZREM', KEYS[1], '')
for _, key in ipairs(keys) do
  local t = living(key, now)
  local lives = life(ARGV[2], t.remember)
  local before, is_other = t.expires, false
  t.expires = ending(t, lives, latest(t, lives))
  is_other = t.expires ~= before
  settle(key, t, now, lives.idle)
  for _, client in ipairs(clients_of(key)) do
    local c = living_client(key, client, now)
    if c then
      local own = life(spans[client], t.remember)
      before = c.expires
      c.expires = client_ending(c, own, latest(t, lives))
      is_other = is_other or c.expires ~= before
      settle(key, t, now, lives.idle, c, own.idle)
    end
  end
  answer[3] = answer[3] + (is_other and 1 or 0)
  --@ if is_other then changed('user-session', key, 'touch') end
end
return answer
