-- include: slack

-- Whether an index is too far from what it stands for.
local function astray(expires, score, idle)
  return score > expires or expires - score > math.min(SLACK, idle / 30)
end
