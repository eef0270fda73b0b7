-- Where a session stands: its partition and realm, by the key of the index of its realm.
local function place(index)
  local head = string.match(index, '^(.*{%x%x}:)')
  return head, string.sub(index, #head + #'wr:' + 1)
end
