-- Answer what other sites have to know of a revoked family or token id.
--
-- KEYS[1] mark    of a token id the hash that says so; of a family the zset of those of its realm, scored by until when
-- KEYS[2] realms  zset: realms with tokens that sites know of, scored by until when
-- ARGV[1] now     ms since the epoch
-- ARGV[2] family  escaped; empty: it is a token id
--
-- Returns until when, ms since the epoch, or nil when there is nothing to tell.

-- include: sharing
local now = tonumber(ARGV[1])
local till
if ARGV[2] == '' then
  till = redis.call('HGET', KEYS[1], 'x')
else
  till = redis.call('ZSCORE', KEYS[1], ARGV[2])
end
if not till or tonumber(till) <= now then
  return false
end
local _, name = name_in(KEYS[1])
local realm = string.match(name, '^a[vx]:([^:]*)')
if tonumber(redis.call('ZSCORE', KEYS[2], realm) or '0') < tonumber(till) then
  remember(KEYS[2], realm, tonumber(till), now)
end
return text(tonumber(till))
