-- Take a node out of the cluster that was not heard of, unless it has said something meanwhile, and tell the others.
--
-- KEYS[1] cluster      hash: _v, startedAt, version, gone. Lives as long as the deployment
-- KEYS[2] members      hash: name:incarnation to what the node says of itself
-- KEYS[3] senders      hash: incarnation to the number of its last event
-- KEYS[4] events       stream: the work channel
-- ARGV[1] member       name:incarnation
-- ARGV[2] incarnation
-- ARGV[3] heard        the last it was heard to say
-- ARGV[4] keepMs       ms
-- ARGV[5] maxLength    entries of the stream
-- ARGV[6] channel      where listeners are told; empty: nowhere
-- ARGV[7] sharded      1 on a Cluster
--
-- Returns 1 if it is out.

local cluster, members, senders, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
-- include: announce

if redis.call('HGET', members, ARGV[1]) ~= ARGV[3] then
  return 0
end
redis.call('HDEL', members, ARGV[1])
redis.call('HDEL', senders, ARGV[2])
local version = redis.call('HINCRBY', cluster, 'version', 1)
redis.call('XADD', events, 'MAXLEN', '~', ARGV[5], '*', 'v', string.format('%.0f', version))
redis.call('PEXPIRE', events, ARGV[4])
announce(ARGV[6], ARGV[7], '')
return 1
