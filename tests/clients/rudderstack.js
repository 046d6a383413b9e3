import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import { address, fail, sendAll, writeKey } from './sending.js'

const analytics = new RudderAnalytics(writeKey, { dataPlaneUrl: address, errorHandler: fail })
await sendAll((number) =>
  analytics.track({ userId: `u${number}`, event: 'Order Completed', properties: { case: `o${number}`, revenue: number } }),
)
await analytics.flush()
