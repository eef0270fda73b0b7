-- Add events of one sender to the work channel, in order, each once.
--
-- KEYS[1] events       stream: the work channel
-- KEYS[2] senders      hash: incarnation to the number of its last event
-- ARGV[1] incarnation
-- ARGV[2] first        number of the first event; the others follow
-- ARGV[3] batch        JSON: an event, or a list of the texts of several
-- ARGV[4] keepMs       ms
-- ARGV[5] maxLength    entries of the stream
--
-- Returns how many were not there yet.

local events, senders, incarnation = KEYS[1], KEYS[2], ARGV[1]
local last = tonumber(redis.call('HGET', senders, incarnation) or '0')
local first = tonumber(ARGV[2])
local batch = string.sub(ARGV[3], 1, 1) == '{' and { ARGV[3] } or cjson.decode(ARGV[3])

-- A full server goes on with a script that began with a write that cannot grow. The stream is capped.
redis.call('PEXPIRE', events, ARGV[4])
local added = 0
for index, text in ipairs(batch) do
  local number = first + index - 1
  if number > last then
    redis.call('XADD', events, 'MAXLEN', '~', ARGV[5], '*', 's', incarnation, 'n', string.format('%.0f', number), 'e', text)
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
return added
