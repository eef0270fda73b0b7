-- Take a node out of the cluster that says good-bye, and tell the others.
--
-- KEYS[1] cluster      hash: _v, startedAt, version, gone. Lives as long as the deployment
-- KEYS[2] members      hash: name:incarnation to what the node says of itself
-- KEYS[3] senders      hash: incarnation to the number of its last event
-- KEYS[4] events       stream: the work channel
-- ARGV[1] member       name:incarnation
-- ARGV[2] incarnation
-- ARGV[3] keepMs       ms
-- ARGV[4] maxLength    entries of the stream
-- ARGV[5] channel      where listeners are told; empty: nowhere
-- ARGV[6] sharded      1 on a Cluster
--
-- Returns 1 if it was there.

local cluster, members, senders, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
-- include: announce

if redis.call('HDEL', members, ARGV[1]) == 0 then
  return 0
end
redis.call('HDEL', senders, ARGV[2])
local gone = ARGV[2] .. ' ' .. (redis.call('HGET', cluster, 'gone') or '')
redis.call('HSET', cluster, 'gone', string.sub(gone, 1, 1024))
local version = redis.call('HINCRBY', cluster, 'version', 1)
redis.call('XADD', events, 'MAXLEN', '~', ARGV[4], '*', 'v', string.format('%.0f', version))
redis.call('PEXPIRE', events, ARGV[3])
announce(ARGV[5], ARGV[6], '')
return 1
