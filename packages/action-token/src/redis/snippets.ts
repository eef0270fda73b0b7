import joiningLua from '../lua/lib/joining.lua'
import sharedLua from '../lua/lib/shared.lua'
import sharingLua from '../lua/lib/sharing.lua'

/** Lua that scripts of sites include by name. */
export const snippets = { joining: joiningLua, shared: sharedLua, sharing: sharingLua }
