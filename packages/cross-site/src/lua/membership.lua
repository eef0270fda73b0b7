-- Say which sites this one decides for: those with the same list of sites and the same version of it.
--
-- KEYS[1] membership  string: version and sites
-- ARGV[1] membership  version and sites of this node; an older version changes nothing
--
-- Returns what is recorded.

local recorded = redis.call('GET', KEYS[1])
local function version_of(text)
  return tonumber(string.match(text or '', '^(%d+) ')) or 0
end
if version_of(recorded) < version_of(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
  return ARGV[1]
end
return recorded
