-- Lists who is locked out, by the end of the lock, or takes them out where that is no longer to come. What the index calls a record
-- begins with a digest, so that a listing can go on behind it and its cursor names nobody.
local function list_lock(index, tail, ends, now)
  local member = string.sub(redis.sha1hex(tail), 1, 12) .. tail
  if ends > now then
    redis.call('ZADD', index, string.format('%.0f', ends), member)
    keep_longest(index, now)
  else
    redis.call('ZREM', index, member)
  end
end
