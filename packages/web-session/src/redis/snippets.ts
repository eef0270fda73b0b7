import againLua from '../lua/lib/again.lua'
import changingLua from '../lua/lib/changing.lua'
import fenceLua from '../lua/lib/fence.lua'
import lagLua from '../lua/lib/lag.lua'
import lengthsLua from '../lua/lib/lengths.lua'
import listingLua from '../lua/lib/listing.lua'
import livingLua from '../lua/lib/living.lua'
import mergeLua from '../lua/lib/merge.lua'
import ofUsersLua from '../lua/lib/of-users.lua'
import placeLua from '../lua/lib/place.lua'
import slotLua from '../lua/lib/slot.lua'
import standingsLua from '../lua/lib/standings.lua'

/** Lua that several scripts include by name. */
export const snippets = {
  again: againLua,
  changing: changingLua,
  fence: fenceLua,
  lag: lagLua,
  lengths: lengthsLua,
  listing: listingLua,
  living: livingLua,
  merge: mergeLua,
  'of-users': ofUsersLua,
  place: placeLua,
  slot: slotLua,
  standings: standingsLua,
}
