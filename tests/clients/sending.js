// What every script does: `node SCRIPT ADDRESS WRITE_KEY N` sends N events, a few at a time, and ends well when all are delivered.
// Half of them are sent when a line is read from the standard input.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const EVENTS_AT_A_TIME = 10
const PAUSE_MS = 100

export const [address, writeKey, nEvents] = [process.argv[2], process.argv[3], Number(process.argv[4])]

export async function sendAll(send) {
  for (let number = 0; number < nEvents; number++) {
    if (number === Math.floor(nEvents / 2)) await goAhead()
    await send(number)
    if (number % EVENTS_AT_A_TIME === EVENTS_AT_A_TIME - 1) await sleep(PAUSE_MS)
  }
}

async function goAhead() {
  await once(process.stdin, 'data')
  process.stdin.destroy()
}

export function fail(error) {
  console.error(error)
  process.exitCode = 1
}
