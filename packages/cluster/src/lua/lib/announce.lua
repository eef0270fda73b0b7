-- Tells who listens, after an entry was added. The channel is an ARGV: it gets no prefix of a client. Answers 1 unless Redis
-- refuses it: the stream is what counts.
local function announce(channel, sharded, text)
  if channel == '' then
    return 0
  end
  local answer
  if sharded == '1' then
    answer = redis.pcall('SPUBLISH', channel, text)
  else
    answer = redis.pcall('PUBLISH', channel, text)
  end
  return type(answer) == 'number' and 1 or 0
end
