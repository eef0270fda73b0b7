-- Take away the tokens that an index names, a hundred at most, and refuse its family from now on.
--
-- Tails in an index are keys of this partition without their head, which is the start of the head's key.
--
-- KEYS[1] index     zset: tails of keys, scored by expiresAt
-- KEYS[2] refused   zset: families of the realm that are refused, escaped, scored by until when
-- KEYS[3] realm     zset: tails of the keys of the realm
-- KEYS[4] families  what the key of a family starts with
-- KEYS[5] subjects  what the key of a subject starts with
-- KEYS[6] head      what every key of the partition starts with
-- ARGV[1] now       ms since the epoch
-- ARGV[2] until     refuse the family until then, ms since the epoch; empty: it is no family
-- ARGV[3] keepMs    how long Redis keeps the refusal, ms
-- ARGV[4] also      consumed: take away what was consumed, too; all: and what is no token, and what is refused
-- ARGV[5] after     go on behind this tail; empty at first
-- ARGV[6] family    to refuse, escaped; empty for none
--
-- Returns {withdrawn, last, longest}: how many could still be consumed, where to go on (empty at the end), and the latest
-- end of what the index still names (0 when that is nothing).

if ARGV[4] == 'all' then
  --@ local was_refused = redis.call('EXISTS', KEYS[2]) == 1
  redis.call('DEL', KEYS[2])
  --@ if was_refused then changed('action-token-revocation', KEYS[2], 'removal') end
elseif ARGV[2] ~= '' and tonumber(redis.call('ZSCORE', KEYS[2], ARGV[6]) or '0') < tonumber(ARGV[2]) then
  -- A full server goes on with a script that began with a write that cannot grow.
  redis.call('ZREM', KEYS[2], ARGV[6])
  -- include: enter
  enter(KEYS[2], ARGV[2], ARGV[6], ARGV[3], ARGV[1])
  --@ changed('action-token-revocation', KEYS[2] .. ':' .. ARGV[6], 'full')
end

local first = 0
if ARGV[5] ~= '' then
  first = (redis.call('ZRANK', KEYS[1], ARGV[5]) or -1) + 1
end
local tails = redis.call('ZRANGE', KEYS[1], first, first + 99)
local withdrawn = 0
local last = ARGV[5]

for _, tail in ipairs(tails) do
  local key = KEYS[6] .. tail
  local is_token = string.sub(tail, 1, 3) == 'ao:'
  local text = is_token and redis.call('GET', key)
  local expires_at, family, subject, rest = string.match(text or '', '^1:(%d+):([^:]*):([^:]*):(.?)')
  -- What another version stored may be good there.
  local stays = is_token and (not text or (expires_at and rest ~= '{' and ARGV[4] == ''))
  if ARGV[4] == 'all' or not stays then
    if rest == '{' and tonumber(expires_at) > tonumber(ARGV[1]) then
      withdrawn = withdrawn + 1
    end
    redis.call('DEL', key)
    --@ if text then changed('action-token', key, 'removal') end
    --@ if string.sub(tail, 1, 3) == 'av:' then changed('action-token-revocation', key, 'removal') end
    redis.call('ZREM', KEYS[1], tail)
    redis.call('ZREM', KEYS[3], tail)
    if expires_at and family ~= '' then
      redis.call('ZREM', KEYS[4] .. family, tail)
    end
    if expires_at and subject ~= '' then
      redis.call('ZREM', KEYS[5] .. subject, tail)
    end
  else
    last = tail
  end
end

local longest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] or '0'
if #tails < 100 then
  return { withdrawn, '', longest }
end
return { withdrawn, last ~= '' and last or ' ', longest }
