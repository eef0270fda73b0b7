-- Notes in the outbox of the partition that a record changed, and what is gone with it where that is asked for. A change that ends
-- client sessions and is no removal is an ending by its `g`, which is empty while nobody asks what is gone.
local function changed(kind, key, how, ...)
  local gone = ...
  if how == 'full' and select('#', ...) > 0 then
    gone = gone or ''
  end
  local head, name = string.match(key, '^(.*{%x%x}:)(.*)$')
  local text = string.sub(how, 1, 1) .. name
  if gone then
    redis.call('XADD', head .. 'xn', 'MAXLEN', '~', MOST_NOTES, '*', kind, text, 'g', gone)
  else
    redis.call('XADD', head .. 'xn', 'MAXLEN', '~', MOST_NOTES, '*', kind, text)
  end
end
