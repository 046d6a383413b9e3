// The places of a queue, as links. They change in place: whoever reads or stands on one is not thrown out.
export default {
  props: { label: String, places: Array },
  emits: ["take"],
  template: `
    <ol class="tn-queue" :aria-label="label">
      <li v-for="(place, n) in places" :key="n">
        <a ref="links" :href="place.address" :aria-current="place.here ? 'true' : null"
          @click.exact.prevent="$emit('take', n)">
          <bdi class="tn-who">{{ place.who }}</bdi>
          <span class="tn-loss">{{ place.loss }}</span>
          <span class="tn-what">{{ place.what }}</span>
          <span class="tn-when">{{ place.when }}</span>
        </a>
      </li>
    </ol>`,
  methods: {
    intoView(n) {
      this.$refs.links[n]?.scrollIntoView({ block: "nearest" });
    },
  },
};
