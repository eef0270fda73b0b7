-- Find out whether this site has lost notes of a partition that another one was told of, and remember what that one owes it then.
--
-- KEYS[1] notes     stream: an entry per change
-- KEYS[2] had       hash: by consumer the id of the last note that it has had
-- KEYS[3] marks     hash: by site had:<site>, what the consumer had had when a node began, until that is compared; and owed:<site>, the
--                   id from which on that site has to tell this one again
-- ARGV[1] consumer  its name
-- ARGV[2] sites     the names of the other sites, separated by blanks
-- ARGV[3] step      begin: a node begins; compare: with what a site was told of; lost: notes are surely lost; done: a site is asked
-- ARGV[4] site      which, to compare or that is asked
-- ARGV[5] ids       compare: of the last notes that nodes told the site of, separated by blanks; done: what it was asked for
--
-- Returns {1 when notes were found to be lost, else 0; what the site owes, or empty}.

-- include: later-note

-- A full server goes on with a script that began with a write that cannot grow.
redis.call('HDEL', KEYS[3], '')
local had = redis.call('HGET', KEYS[2], ARGV[1]) or '0-0'
local is_lost = ARGV[3] == 'lost'
local from = had
if ARGV[3] == 'begin' then
  for site in string.gmatch(ARGV[2], '%S+') do
    redis.call('HSETNX', KEYS[3], 'had:' .. site, had)
  end
elseif ARGV[3] == 'compare' then
  local before = redis.call('HGET', KEYS[3], 'had:' .. ARGV[4])
  redis.call('HDEL', KEYS[3], 'had:' .. ARGV[4])
  from = before
  for id in string.gmatch(before and ARGV[5] or '', '%S+') do
    is_lost = is_lost or (is_later_note(id, before) and #redis.call('XRANGE', KEYS[1], id, id) == 0)
  end
elseif ARGV[3] == 'done' and redis.call('HGET', KEYS[3], 'owed:' .. ARGV[4]) == ARGV[5] then
  redis.call('HDEL', KEYS[3], 'owed:' .. ARGV[4])
end
if is_lost then
  for site in string.gmatch(ARGV[2], '%S+') do
    local owed = redis.call('HGET', KEYS[3], 'owed:' .. site)
    if not owed or is_later_note(owed, from) then
      redis.call('HSET', KEYS[3], 'owed:' .. site, from)
    end
  end
end
return { is_lost and 1 or 0, redis.call('HGET', KEYS[3], 'owed:' .. ARGV[4]) or '' }
