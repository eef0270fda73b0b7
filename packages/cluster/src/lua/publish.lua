-- Add events of one sender to the work channel, in order, each once.
--
-- KEYS[1] events       stream: the work channel
-- KEYS[2] senders      hash: incarnation to the number of its last event
-- ARGV[1] incarnation
-- ARGV[2] first        number of the first event; the others follow
-- ARGV[3] batch        JSON: an event, or a list of the texts of several
-- ARGV[4] keepMs       ms
-- ARGV[5] maxLength    entries of the stream
-- ARGV[6] channel      where listeners are told; empty: nowhere
-- ARGV[7] sharded      1 on a Cluster
--
-- Listeners are told the id of the entry before, then id, incarnation, number and text; of several entries only that there are some.
--
-- Returns {how many were not there yet, 1 if listeners could be told}.

local events, senders, incarnation = KEYS[1], KEYS[2], ARGV[1]
-- include: announce
local last = tonumber(redis.call('HGET', senders, incarnation) or '0')
local first = tonumber(ARGV[2])
local batch = string.sub(ARGV[3], 1, 1) == '{' and { ARGV[3] } or cjson.decode(ARGV[3])

-- A full server goes on with a script that began with a write that cannot grow. The stream is capped.
redis.call('PEXPIRE', events, ARGV[4])
local added, said = 0, ''
if ARGV[6] ~= '' and #batch == 1 then
  local before = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
  said = before and before[1] or '0-0'
end
for index, text in ipairs(batch) do
  local number = first + index - 1
  if number > last then
    local id = redis.call('XADD', events, 'MAXLEN', '~', ARGV[5], '*', 's', incarnation, 'n', string.format('%.0f', number), 'e', text)
    if said ~= '' then
      said = said .. ' ' .. id .. ' ' .. incarnation .. ' ' .. ARGV[2] .. ' ' .. text
    end
    added = added + 1
  end
end
if added > 0 then
  redis.call('HSET', senders, incarnation, string.format('%.0f', first + #batch - 1))
end
-- Later on every beat of a node sees to it.
if last == 0 then
  redis.call('PEXPIRE', senders, ARGV[4])
  redis.call('PEXPIRE', events, ARGV[4])
end
return { added, added > 0 and announce(ARGV[6], ARGV[7], said) or 0 }
