-- Decides on a presented refresh token. A family is "uses:staleUntil:presented:successor:attempt", uses 0: it ended; behind
-- it is ":rotatedAt" where that is another instant. While changes are noted that is always there, empty for the same instant;
-- then come ":maxReuse" and, where two sites exchanged one token, ":successor" of each that may be exchanged once. Stale until
-- is the latest of when it rotated, of when each token that it accepted was issued, and of what it was before, so that it does
-- not matter whose clock said when a token was issued.
-- Answers an outcome (foreign: stale, but nothing ends), the successor, and the family afterwards if it changes.
local function decide(family, not_before, now, presented, successor, issued, max_reuse, attempt, grace)
  local others = ''
  local function accept(uses, before)
    local stale = string.format('%.0f', math.max(tonumber(now), issued, before))
    local text = uses .. ':' .. stale .. ':' .. presented .. ':' .. successor .. ':' .. attempt
    local behind = stale == now and '' or ':' .. now
    --@ behind = ':' .. string.sub(behind, 2) .. ':' .. string.format('%.0f', max_reuse) .. others
    return 'rotated', successor, text .. behind
  end
  if not family then
    if issued < not_before then
      return 'foreign'
    end
    return accept(1, 0)
  end
  local uses, stale, last, newest, by, rotated, rest = string.match(family, '^(%d+):(%d+):([^:]*):([^:]*):([^:]*):?(%d*)(.*)$')
  stale = tonumber(stale)
  others = rest == '' and rest or string.match(rest or '', '^:%d+(.*)$')
  -- One that cannot be read has ended, too.
  if not uses or uses == '0' or not others then
    return 'foreign'
  end
  local from, to = string.find(others .. ':', ':' .. presented .. ':', 1, true)
  if from then
    others = string.sub(others, 1, from - 1) .. string.sub(others, to)
  end
  if presented == newest or from then
    return accept(1, stale)
  end
  if presented == last then
    if attempt ~= '' and attempt == by and tonumber(now) - (tonumber(rotated) or stale) <= grace then
      return 'rotated', newest
    end
    if tonumber(uses) > max_reuse then
      return 'reused'
    end
    return accept(tonumber(uses) + 1, stale)
  end
  if issued <= stale then
    return 'stale'
  end
  return accept(1, stale)
end
