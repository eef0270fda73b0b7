-- Add lines to the audit, and let go of what is too old or too many.
--
-- KEYS[1] audit     stream: an entry per line
-- ARGV[1] lines     JSON list of texts
-- ARGV[2] oldest    what was written before this instant goes, ms since the epoch
-- ARGV[3] maxLines  how many are kept, about
-- ARGV[4] keepMs    how long the last line is kept
--
-- Returns nothing.

for _, line in ipairs(cjson.decode(ARGV[1])) do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'l', line)
end
redis.call('XTRIM', KEYS[1], 'MINID', '~', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
