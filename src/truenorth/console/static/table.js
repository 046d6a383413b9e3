// A table. Every text goes in as text. On a phone the rows of a wide one are cards; roles keep it a table all the same.
const FEW = 2; // so many columns fit a phone
const FEW_NUMBERS = 4; // and so many where all but the first are numbers
const FIRST = 8; // so many cards are shown at first
const phone = matchMedia("(max-width: 45rem)");
const NUMBERS = ["number", "change", "percent", "span"];
const LONG = 24; // so many characters want a line of their own there
const FEW_SHORT = 3; // or so many where no text is long
const SHORT = 18; // and a text of so many is not broken
const ROOMY = 6; // more columns stand closer together
const WHOLE = 150; // a longer one may be cut: the pointer then shows this much of it
const MOST = 1000;
export default {
  props: { caption: String, columns: Array, rows: Array, empty: String },
  emits: ["act"],
  template: `
    <div class="tn-scroll" role="region" tabindex="0" :aria-label="caption">
      <p v-if="!rows.length" class="tn-muted">{{ empty }}</p>
      <table v-else class="tn-table" :class="{ 'tn-stacked': isWide, 'tn-dense': columns.length > ROOMY }" role="table">
        <caption class="tn-hidden">{{ caption }}</caption>
        <thead role="rowgroup">
          <tr role="row">
            <th v-for="column in columns" scope="col" role="columnheader" :class="'tn-' + column.kind">{{ column.title }}</th>
            <th v-if="hasActs" scope="col" role="columnheader"><span class="tn-hidden">What can be done</span></th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          <tr v-for="(row, number) in shown" :key="number" role="row">
            <td v-for="(cell, place) in row.cells" role="cell" :data-title="columns[place].title"
              :class="['tn-' + columns[place].kind, { 'tn-long': cell.text.length > LONG, 'tn-short': cell.text.length <= SHORT, 'tn-empty': !cell.text }]">
              <a v-if="place === 0 && row.address" :href="row.address"><bdi class="tn-cell">{{ cell.text }}</bdi></a>
              <bdi v-else-if="cell.tone" :class="'tn-tag tn-' + cell.tone">{{ cell.text }}</bdi>
              <bdi v-else-if="isNumber(place)" class="tn-cell"><template v-for="part in parts(cell.text)"><span>{{ part }}</span>{{ " " }}</template></bdi>
              <bdi v-else class="tn-cell" :title="cell.text.length > WHOLE ? cell.text.slice(0, MOST) : null">{{ cell.text }}</bdi>
            </td>
            <td v-if="hasActs" class="tn-acts" role="cell">
              <button v-for="one in row.acts" type="button" @click="act(one, number)"
                :aria-label="one.words + ': ' + row.cells[0].text.slice(0, 80)">{{ one.words }}</button>
            </td>
          </tr>
        </tbody>
      </table>
      <button v-if="shown.length < rows.length" type="button" class="tn-more" @click="isWhole = true">
        Show all {{ rows.length }}</button>
    </div>`,
  data: () => ({ LONG, SHORT, ROOMY, WHOLE, MOST, isWhole: false, isPhone: phone.matches }),
  mounted() {
    phone.addEventListener("change", this.turned);
  },
  unmounted() {
    phone.removeEventListener("change", this.turned);
  },
  computed: {
    shown() {
      const isLong = this.isPhone && this.isWide && !this.isWhole && this.rows.length > FIRST;
      return isLong ? this.rows.slice(0, FIRST) : this.rows;
    },
    isWide() {
      const n = this.columns.length + (this.hasActs ? 1 : 0);
      const plain = !this.hasActs && this.columns.slice(1).every((column) => NUMBERS.includes(column.kind));
      const short = !this.hasActs && this.rows.every((row) => row.cells.every((cell) => cell.text.length <= SHORT));
      return n > (plain ? FEW_NUMBERS : short ? FEW_SHORT : FEW);
    },
    hasActs() {
      return this.rows.some((row) => row.acts.length);
    },
  },
  methods: {
    turned(event) {
      this.isPhone = event.matches;
    },
    isNumber(place) {
      return this.columns[place].kind !== "text";
    },
    parts(text) {
      return text.split(/ (?=\()|(?<=\),) /); // a figure, its interval, and more: lines break between them, if anywhere
    },
    act(one, number) {
      if (!one.asks || window.confirm(one.asks)) this.$emit("act", one.name, number);
    },
  },
};
