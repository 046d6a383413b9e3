// What every script does: `node SCRIPT ADDRESS WRITE_KEY N` sends N events, a few at a time, and ends well when all are delivered.
import { setTimeout as sleep } from 'node:timers/promises'

const EVENTS_AT_A_TIME = 10
const PAUSE_MS = 100

export const [address, writeKey, nEvents] = [process.argv[2], process.argv[3], Number(process.argv[4])]

export async function sendAll(send) {
  for (let number = 0; number < nEvents; number++) {
    await send(number)
    if (number % EVENTS_AT_A_TIME === EVENTS_AT_A_TIME - 1) await sleep(PAUSE_MS)
  }
}

export function fail(error) {
  console.error(error)
  process.exitCode = 1
}
