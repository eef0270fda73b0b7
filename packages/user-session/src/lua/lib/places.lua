-- include: rank-behind, walk

-- A walk over all that another site has to know of a partition: the realms of online and of offline sessions, then removals.
local function place_at(due, given)
  local places = redis.call('ZRANGE', due, 0, -1)
  -- Removals stand behind every realm.
  places[#places + 1] = '~'
  table.sort(places, function(a, b) return a ~= b and follows(b, a) end)
  local at = 1
  while places[at] and places[at] ~= given and not follows(places[at], given) do
    at = at + 1
  end
  return places[at], places[at + 1]
end

-- Some ids of a place; where to go on: the place, a score and an id.
local function walk_places(due, given, after_score, after_id, limit)
  local head = string.match(due, '^(.*{%x%x}:)')
  local place, next_place = place_at(due, given)
  local kind, realm = string.match(place, '^([uo]):(.*)$')
  local index = kind and head .. kind .. 'r:' .. realm or head .. 'xt'
  local rank = place == given and rank_behind(index, after_score, after_id) or 0
  local entries, score, id = walk(index, rank, limit)
  local names = {}
  for i = 1, #entries, 2 do
    names[#names + 1] = (kind and kind .. 's:' .. realm .. ':' or '') .. entries[i]
  end
  if score == '' then
    return names, next_place or '', '0', ''
  end
  return names, place, score, id
end
