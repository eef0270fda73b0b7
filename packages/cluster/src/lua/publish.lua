-- Add events of one sender to the work channel, in order, each once.
--
-- KEYS[1] events       stream: the work channel
-- KEYS[2] senders      hash: incarnation to the number of its last event
-- ARGV[1] incarnation
-- ARGV[2] first        number of the first event; the others follow
-- ARGV[3] batch        JSON: list of the events' texts
-- ARGV[4] keepMs       ms
-- ARGV[5] maxLength    entries of the stream
--
-- Returns how many were not there yet.

local events, senders, incarnation = KEYS[1], KEYS[2], ARGV[1]
local last = tonumber(redis.call('HGET', senders, incarnation) or '0')
local first = tonumber(ARGV[2])
local batch = cjson.decode(ARGV[3])

local added = 0
for index, text in ipairs(batch) do
  local number = first + index - 1
  if number > last then
    local written = string.format('%.0f', number)
    redis.call('XADD', events, 'MAXLEN', '~', ARGV[5], '*', 's', incarnation, 'n', written, 'e', text)
    redis.call('HSET', senders, incarnation, written)
    added = added + 1
  end
end
redis.call('PEXPIRE', senders, ARGV[4])
redis.call('PEXPIRE', events, ARGV[4])
return added
