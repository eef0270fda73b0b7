-- Mark a token id as revoked; a later end is never shortened.
--
-- KEYS[1] revoked    hash: x until when it counts as revoked
-- KEYS[2] realm      zset: tails of the keys of a realm, scored by expiresAt
-- ARGV[1] now        ms since the epoch
-- ARGV[2] expiresAt  ms since the epoch
-- ARGV[3] keepMs     how long Redis keeps the mark, ms
-- ARGV[4] tail       the mark's key behind its partition
--
-- Returns 1.

if tonumber(redis.call('HGET', KEYS[1], 'x') or '0') < tonumber(ARGV[2]) then
  -- A full server goes on with a script that began with a write that cannot grow.
  redis.call('UNLINK', KEYS[1])
  redis.call('HSET', KEYS[1], '_v', '1', 'x', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  -- include: enter
  enter(KEYS[2], ARGV[2], ARGV[4], ARGV[3], ARGV[1])
  --@ changed('action-token-revocation', KEYS[1], 'full')
end
return 1
