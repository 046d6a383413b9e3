"""A survey of practitioners as one page that needs no server: whoever fills it in saves a file of answers."""

from __future__ import annotations

from truenorth.insight.practitioners import Questionnaire


def survey_page(questionnaire: Questionnaire) -> str:
    """The page, as HTML; the file that it saves is a CSV table as `truenorth.insight.practitioners.distil` reads it.

    >>> from truenorth.insight.practitioners import parse_questionnaire
    >>> asked = parse_questionnaire("questions: [{key: hard, text: Why <slow>?, kind: challenge}]", "q.yaml")
    >>> "Why &lt;slow&gt;?" in survey_page(asked), 'name="hard"' in survey_page(asked)
    (True, True)
    """
    import jinja2  # noqa: PLC0415  (only where a page is asked for)

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("truenorth", "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("survey.html").render(
        questions=questionnaire.questions, levels=questionnaire.levels
    )
