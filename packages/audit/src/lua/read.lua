-- Answer lines of the audit.
--
-- KEYS[1] audit  stream: an entry per line
-- ARGV[1] first  oldest or newest
-- ARGV[2] from   where to begin, as XRANGE or XREVRANGE takes it
-- ARGV[3] to     where to end, in the same way
-- ARGV[4] limit  most lines
--
-- Returns entries: {id, fields}.

if ARGV[1] == 'newest' then
  return redis.call('XREVRANGE', KEYS[1], ARGV[2], ARGV[3], 'COUNT', ARGV[4])
end
return redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[3], 'COUNT', ARGV[4])
