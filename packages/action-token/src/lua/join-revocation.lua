-- Join what another site knows of a revoked family or token id. Of a family take away, a hundred at a time, what can still be consumed.
--
-- KEYS[1] mark    of a token id the hash that says so; of a family the zset of those of its realm, scored by until when
-- KEYS[2] index   zset: tails of the keys of the family, or of the realm
-- ARGV[1] now     ms since the epoch
-- ARGV[2] until   ms since the epoch
-- ARGV[3] family  escaped; empty: it is a token id
-- ARGV[4] after   go on behind this tail; empty at first
-- ARGV[5] site    the site that this is
-- ARGV[6] endsMs  how long a removal is remembered
--
-- Returns {outcome, last}: changed or same, and where to go on, empty at the end.

-- include: sharing
local now, till = tonumber(ARGV[1]), ARGV[2]
local head, name = name_in(KEYS[1])
if tonumber(till) <= now then
  return { 'same', '' }
end
local ms = text(tonumber(till) - now + GRACE)
local is_same = true
if ARGV[3] == '' then
  if tonumber(redis.call('HGET', KEYS[1], 'x') or '0') < tonumber(till) then
    redis.call('HSET', KEYS[1], '_v', '1', 'x', till)
    redis.call('PEXPIRE', KEYS[1], ms)
    enter(KEYS[2], till, name, ms, text(now))
    is_same = false
  end
  return { is_same and 'same' or 'changed', '' }
end

local function refuse(ends)
  if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[3]) or '0') < tonumber(ends) then
    enter(KEYS[1], ends, ARGV[3], text(tonumber(ends) - now + GRACE), text(now))
    is_same = false
  end
end
if ARGV[4] == '' then
  refuse(till)
end
local first = 0
if ARGV[4] ~= '' then
  first = (redis.call('ZRANK', KEYS[2], ARGV[4]) or -1) + 1
end
local tails, last = redis.call('ZRANGE', KEYS[2], first, first + 99), ARGV[4]
for _, tail in ipairs(tails) do
  local token = token_of(head .. tail)
  if token and not token.used then
    local key = head .. tail
    local stamps, raw = stamps_of(key)
    local state = state_of(token, stamps, now, ARGV[5], now, false)
    take_out(key, token)
    if state and state.c then
      write_stamps(key, raw, { d = state.c[1], e = larger(larger(state.e, stamps.most), state.c[3]) }, now, tonumber(ARGV[6]))
    end
    is_same = false
  else
    last = tail
  end
end
if #tails < 100 then
  -- What was consumed may lead to more for as long as it lives.
  refuse(redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2] or '0')
  last = ''
elseif last == '' then
  last = ' '
end
return { is_same and 'same' or 'changed', last }
