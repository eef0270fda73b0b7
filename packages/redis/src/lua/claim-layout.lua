-- Record how many partitions this deployment has, once, and who is told of changes, and answer what is recorded.
--
-- KEYS[1] layout      hash: partitions, _v, raisedAt when _v was raised last, and per consumer of changes c:<name>, words of what
--                     it asks for. Lives as long as the deployment
-- ARGV[1] partitions  what this node is configured with
-- ARGV[2] reads       the latest layout that this node reads
-- ARGV[3] consumers   JSON: words by consumer; recorded at a start, and where nothing is recorded,
--                     unless a consumer is recorded that is neither here nor in drop
-- ARGV[4] isStart     1: this node starts
-- ARGV[5] drop        JSON: names of consumers that shall not be recorded
-- ARGV[6] version     layout of a deployment of which nothing is recorded
-- ARGV[7] raisedAt    now, ms since the epoch, to go over to the latest layout; 0: the layout stays
--
-- Returns all fields as recorded, flat.

local is_new = redis.call('EXISTS', KEYS[1]) == 0
if is_new then
  -- A full server goes on with a script that began with a write that cannot grow.
  redis.call('UNLINK', KEYS[1])
  redis.call('HSET', KEYS[1], 'partitions', ARGV[1], '_v', ARGV[6])
end
local recorded = redis.call('HMGET', KEYS[1], 'partitions', '_v')
local layout = tonumber(recorded[2]) or 0
local belongs = recorded[1] == ARGV[1] and layout >= 1 and layout <= tonumber(ARGV[2])
local wanted, dropped = cjson.decode(ARGV[3]), cjson.decode(ARGV[5])
local known = {}
for name in pairs(wanted) do
  known['c:' .. name] = true
end
for _, name in ipairs(dropped) do
  known['c:' .. name] = true
end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  belongs = belongs and (string.sub(field, 1, 2) ~= 'c:' or known[field] or false)
end
-- Who does not belong here, or does not know a consumer, is refused, and changes nothing.
if belongs then
  if ARGV[7] ~= '0' and layout < tonumber(ARGV[2]) then
    redis.call('HDEL', KEYS[1], '')
    redis.call('HSET', KEYS[1], '_v', ARGV[2], 'raisedAt', ARGV[7])
  end
  for _, name in ipairs(dropped) do
    redis.call('HDEL', KEYS[1], 'c:' .. name)
  end
  if next(wanted) and (is_new or ARGV[4] == '1') then
    redis.call('HDEL', KEYS[1], '')
    for name, asked in pairs(wanted) do
      local has, words = {}, {}
      for word in string.gmatch((redis.call('HGET', KEYS[1], 'c:' .. name) or '') .. ' ' .. asked, '%S+') do
        if not has[word] then
          has[word] = true
          words[#words + 1] = word
        end
      end
      table.sort(words)
      redis.call('HSET', KEYS[1], 'c:' .. name, table.concat(words, ' '))
    end
  end
end
return redis.call('HGETALL', KEYS[1])
