-- Note how far another site has told this one what changed there.
--
-- KEYS[1] reached  hash: by site the id of its last note that is known here
-- ARGV[1] site     the other site
-- ARGV[2] id       of that note
--
-- Returns 1 when it was noted; an earlier id than the one that is there is not.

local function places(id)
  local ms, n = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(n)
end
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held then
  local ms, n = places(ARGV[2])
  local held_ms, held_n = places(held)
  if ms < held_ms or (ms == held_ms and n <= held_n) then
    return 0
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
