// A field with its label and hint.
let last = 0;
export default {
  props: { label: String, kind: String, hint: String, options: Array, keep: String, modelValue: [String, Number, Boolean] },
  emits: ["update:model-value", "kept"],
  data: () => ({ id: `tn-field-${++last}` }),
  template: `
    <div class="tn-field">
      <label :for="id">{{ label }}</label>
      <select v-if="kind === 'select'" :id="id" :value="modelValue" :aria-describedby="described" @change="changed">
        <option v-for="option in options" :value="option[0]">{{ option[1] }}</option>
      </select>
      <textarea v-else-if="kind === 'long'" :id="id" :value="modelValue" :aria-describedby="described"
        spellcheck="false" @input="changed"></textarea>
      <input v-else :id="id" :type="kind" :value="modelValue" :aria-describedby="described" autocomplete="off"
        @input="changed">
      <p v-if="hint" :id="id + '-hint'" class="tn-muted">{{ hint }}</p>
    </div>`,
  watch: {
    modelValue(value) {
      this.hold(value);
    },
  },
  mounted() {
    const kept = this.keep ? sessionStorage.getItem(this.keep) : null;
    if (kept !== null && kept !== this.modelValue) this.$emit("kept", kept);
  },
  computed: {
    described() {
      return this.hint ? `${this.id}-hint` : null;
    },
  },
  methods: {
    // What is written is kept by the tab, so that it outlives a page that is loaded again.
    hold(text) {
      try {
        if (this.keep) sessionStorage.setItem(this.keep, text);
      } catch {
        // a browser that keeps nothing
      }
    },
    letGo() {
      sessionStorage.removeItem(this.keep);
    },
    focus() {
      this.$el.querySelector("input, select, textarea").focus();
    },
    changed(event) {
      this.hold(event.target.value);
      this.$emit("update:model-value", event.target.value);
    },
  },
};
