-- Note how far a node of another site tells this one of a partition, before it tells that.
--
-- KEYS[1] marks   hash: told:<site>/<node> is the id of the last note there that the node told of
-- ARGV[1] field   told:<site>/<node>
-- ARGV[2] id      of the last note; empty: none
-- ARGV[3] before  ms since the epoch: what nodes of the site told of before is forgotten; 0: nothing
--
-- Returns marks of the site, as fields and ids, flat.

local id = redis.call('HGET', KEYS[1], ARGV[1])
-- include: later-note
if ARGV[2] ~= '' and (not id or is_later_note(ARGV[2], id)) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
if ARGV[3] == '0' then
  return {}
end
local site = string.match(ARGV[1], '^[^/]+/')
local answer = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if string.sub(all[i], 1, #site) == site then
    answer[#answer + 1] = all[i]
    answer[#answer + 1] = all[i + 1]
    if tonumber(string.match(all[i + 1], '^%d+')) < tonumber(ARGV[3]) then
      redis.call('HDEL', KEYS[1], all[i])
    end
  end
end
return answer
