import aloneLua from '../lua/lib/alone.lua'
import endingLua from '../lua/lib/ending.lua'
import fenceLua from '../lua/lib/fence.lua'
import fencedStampLua from '../lua/lib/fenced-stamp.lua'
import forksLua from '../lua/lib/forks.lua'
import indexLivesLua from '../lua/lib/index-lives.lua'
import indexesLua from '../lua/lib/indexes.lua'
import keysLua from '../lua/lib/keys.lua'
import lagLua from '../lua/lib/lag.lua'
import lifeLua from '../lua/lib/life.lua'
import limitsLua from '../lua/lib/limits.lua'
import linksLua from '../lua/lib/links.lua'
import markLua from '../lua/lib/mark.lua'
import missingLua from '../lua/lib/missing.lua'
import notesLua from '../lua/lib/notes.lua'
import openingLua from '../lua/lib/opening.lua'
import placesLua from '../lua/lib/places.lua'
import puttingLua from '../lua/lib/putting.lua'
import readingLua from '../lua/lib/reading.lua'
import reindexingLua from '../lua/lib/reindexing.lua'
import rotationLua from '../lua/lib/rotation.lua'
import settlingLua from '../lua/lib/settling.lua'
import sharedLua from '../lua/lib/shared.lua'
import sharingLua from '../lua/lib/sharing.lua'
import sharingFenceLua from '../lua/lib/sharing-fence.lua'
import slackLua from '../lua/lib/slack.lua'
import spansLua from '../lua/lib/spans.lua'
import tellingTimesLua from '../lua/lib/telling-times.lua'
import timesLua from '../lua/lib/times.lua'
import unlinkLua from '../lua/lib/unlink.lua'
import upcastingLua from '../lua/lib/upcasting.lua'
import usualLua from '../lua/lib/usual.lua'
import vanishedLua from '../lua/lib/vanished.lua'

/** Lua that several scripts include by name. */
export const snippets = {
  alone: aloneLua,
  ending: endingLua,
  fence: fenceLua,
  'fenced-stamp': fencedStampLua,
  forks: forksLua,
  'index-lives': indexLivesLua,
  indexes: indexesLua,
  keys: keysLua,
  lag: lagLua,
  life: lifeLua,
  limits: limitsLua,
  links: linksLua,
  mark: markLua,
  missing: missingLua,
  notes: notesLua,
  opening: openingLua,
  places: placesLua,
  putting: puttingLua,
  reading: readingLua,
  reindexing: reindexingLua,
  rotation: rotationLua,
  settling: settlingLua,
  shared: sharedLua,
  sharing: sharingLua,
  'sharing-fence': sharingFenceLua,
  slack: slackLua,
  spans: spansLua,
  'telling-times': tellingTimesLua,
  times: timesLua,
  unlink: unlinkLua,
  upcasting: upcastingLua,
  usual: usualLua,
  vanished: vanishedLua,
}
