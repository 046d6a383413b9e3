// The library makes messages and leaves sending them again to its user.
import { CloudEvent, HTTP } from 'cloudevents'
import { setTimeout as sleep } from 'node:timers/promises'
import { address, sendAll, writeKey } from './sending.js'

const RETRY_MS = 200

async function isTaken({ headers, body }) {
  try {
    const answer = await fetch(`${address}/events`, {
      method: 'POST',
      headers: { ...headers, Authorization: `Bearer ${writeKey}` },
      body,
    })
    return answer.ok
  } catch {
    return false
  }
}

await sendAll(async (number) => {
  const data = { case: `o${number}`, revenue: number }
  const event = new CloudEvent({ type: 'Order Completed', source: '/shop', subject: `u${number}`, data })
  const message = number % 2 ? HTTP.binary(event) : HTTP.structured(event)
  while (!(await isTaken(message))) await sleep(RETRY_MS)
})
