-- Decides on a presented refresh token. A family is "uses:staleUntil:presented:successor:attempt", uses 0: it ended; behind
-- it is ":rotatedAt" where that is another instant. Stale until is the latest of when it rotated, of when each token that it
-- accepted was issued, and of what it was before, so that it does not matter whose clock said when a token was issued.
-- Answers an outcome (foreign: stale, but nothing ends), the successor, and the family afterwards if it changes.
local function decide(family, not_before, now, presented, successor, issued, max_reuse, attempt, grace)
  local function accept(uses, before)
    local stale = string.format('%.0f', math.max(tonumber(now), issued, before))
    local text = uses .. ':' .. stale .. ':' .. presented .. ':' .. successor .. ':' .. attempt
    return 'rotated', successor, stale == now and text or text .. ':' .. now
  end
  if not family then
    if issued < not_before then
      return 'foreign'
    end
    return accept(1, 0)
  end
  local uses, stale, last, newest, by, rotated = string.match(family, '^(%d+):(%d+):([^:]*):([^:]*):([^:]*):?(%d*)$')
  stale = tonumber(stale)
  -- One that cannot be read has ended, too.
  if not uses or uses == '0' then
    return 'foreign'
  end
  if presented == newest then
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
