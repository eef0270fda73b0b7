-- Say that a node lives, let it join if it is not there, and answer who lives.
--
-- KEYS[1] cluster      hash: _v, startedAt, version, gone, length. Lives as long as the deployment
-- KEYS[2] members      hash: name:incarnation to what the node says of itself
-- KEYS[3] senders      hash: incarnation to the number of its last event
-- KEYS[4] events       stream: the work channel
-- ARGV[1] member       name:incarnation
-- ARGV[2] record       what the node says of itself, different at every beat
-- ARGV[3] now          ms since the epoch
-- ARGV[4] replaces     name: of which other incarnations are gone; empty for none
-- ARGV[5] keepMs       ms
-- ARGV[6] maxLength    entries of the stream
-- ARGV[7] channel      where listeners are told; empty: nowhere
-- ARGV[8] sharded      1 on a Cluster
--
-- Returns {1 if it joined, version, startedAt, last id of the stream, who left properly,
-- 1 if listeners could be told, 0 if not, empty if there was nothing to tell, member, record, ...}.

local cluster, members, senders, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local member, replaces = ARGV[1], ARGV[4]
-- include: announce

-- A full server goes on with a script that began with a write that cannot grow.
redis.call('PEXPIRE', senders, ARGV[5])
redis.call('HSETNX', cluster, '_v', '1')
redis.call('HSETNX', cluster, 'startedAt', ARGV[3])

local changes = 0
if replaces ~= '' then
  for _, other in ipairs(redis.call('HKEYS', members)) do
    if other ~= member and string.sub(other, 1, #replaces) == replaces then
      redis.call('HDEL', members, other)
      redis.call('HDEL', senders, string.match(other, '[^:]*$'))
      changes = changes + 1
    end
  end
end
local joined = redis.call('HSET', members, member, ARGV[2])
changes = changes + joined
redis.call('PEXPIRE', members, ARGV[5])

local told = ''
local version = redis.call('HINCRBY', cluster, 'version', changes)
if changes > 0 then
  redis.call('HSET', cluster, 'length', ARGV[6])
  redis.call('XADD', events, 'MAXLEN', '~', ARGV[6], '*', 'v', string.format('%.0f', version))
  told = announce(ARGV[7], ARGV[8], '') == 1 and '1' or '0'
end
redis.call('PEXPIRE', events, ARGV[5])

local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
local known = redis.call('HMGET', cluster, 'startedAt', 'gone')
local answer = {
  string.format('%.0f', joined),
  string.format('%.0f', version),
  known[1],
  last and last[1] or '0-0',
  known[2] or '',
  told,
}
for _, text in ipairs(redis.call('HGETALL', members)) do
  answer[#answer + 1] = text
end
return answer
