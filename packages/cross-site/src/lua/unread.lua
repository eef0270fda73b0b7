-- The notes of a partition that nobody has told yet, as far as who asks knows.
--
-- KEYS[1] notes     stream: an entry per change
-- KEYS[2] had       hash: by consumer the id of the last note that it has had
-- ARGV[1] consumer  its name
-- ARGV[2] after     id of a note that was told, or is being told; empty: none is known
-- ARGV[3] limit     most notes to answer
--
-- Returns {id of the last note, empty for none; notes behind the later of both places; 1 when the note that was told is lost, else 0}.

-- include: later-note

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local had = redis.call('HGET', KEYS[2], ARGV[1]) or '0-0'
local after = ARGV[2]
local is_lost = false
if after == '' or is_later_note(had, after) then
  after = had
else
  is_lost = after ~= had and #redis.call('XRANGE', KEYS[1], after, after) == 0
end
return { last and last[1] or '', redis.call('XRANGE', KEYS[1], '(' .. after, '+', 'COUNT', ARGV[3]), is_lost and 1 or 0 }
