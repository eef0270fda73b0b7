import againLua from '../lua/lib/again.lua'
import behindLua from '../lua/lib/behind.lua'
import fenceLua from '../lua/lib/fence.lua'
import listingLua from '../lua/lib/listing.lua'
import mergeLua from '../lua/lib/merge.lua'
import slotLua from '../lua/lib/slot.lua'
import standingsLua from '../lua/lib/standings.lua'

/** Lua that several scripts include by name. */
export const snippets = {
  again: againLua,
  behind: behindLua,
  listing: listingLua,
  fence: fenceLua,
  merge: mergeLua,
  slot: slotLua,
  standings: standingsLua,
}
