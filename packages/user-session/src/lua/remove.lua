-- End a session.
--
-- KEYS[1] session  hash: t times, d data, c:, a: per client
-- ARGV[1] now      ms since the epoch
-- ARGV[2] tell     as create takes it
--
-- Returns the ended session as create answers it, or nil when there is none.

-- include: lag, times, keys, reading, ending
if not living(KEYS[1], tonumber(ARGV[1])) then
  return false
end
return drop(KEYS[1], ARGV[2])
