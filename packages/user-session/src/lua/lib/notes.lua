-- Merges a patch into notes; null takes a note away. Answers their size in bytes of what a caller sees.
local function merge_notes(notes, patch)
  for name, note in pairs(patch) do
    notes[name] = note ~= cjson.null and note or nil
  end
  local bytes = 0
  for name, note in pairs(notes) do
    -- An encrypted note is {key, base64url of 12 bytes nonce, text, 16 bytes tag}.
    bytes = bytes + #name + (type(note) == 'table' and math.floor(#note[2] * 3 / 4) - 28 or #note)
  end
  return bytes
end
