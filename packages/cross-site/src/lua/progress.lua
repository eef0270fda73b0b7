-- How far a consumer of changes has come in a partition.
--
-- KEYS[1] notes     stream: an entry per change
-- KEYS[2] had       hash: by consumer the id of the last note that it has had
-- ARGV[1] consumer  its name
--
-- Returns {id of the last note, id of the last that it has had}, empty for none.

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
return { last and last[1] or '', redis.call('HGET', KEYS[2], ARGV[1]) or '' }
