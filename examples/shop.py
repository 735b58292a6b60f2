"""A FastAPI service whose ORM objects carry a machine: the row holds what the shop knows, the engine where the order stands.

The order is made in the engine under an id that the row gives, so a request that is repeated, or a process that dies between the two
databases, does no harm: whoever says it again gets the first answer.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, HTTPException
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool

import outlast
from outlast.errors import IdempotencyError, UnknownName

PLAN = outlast.load(Path(__file__).with_name("order.yaml"))


class Base(DeclarativeBase):
    """The tables of the shop."""


class Order(Base):
    """A row of the shop's own. What may happen to it is not its business."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str]
    cents: Mapped[int]

    @property
    def machine(self) -> str:
        """Its name in the engine."""
        return f"order-{self.id}"


def shop(url: str, store: str) -> FastAPI:
    """The application: its rows at `url`, its machines in `store`."""
    memory = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}} if url == "sqlite://" else {}
    database = create_engine(url, **memory)
    Base.metadata.create_all(database)
    engine = outlast.Engine.open(store, PLAN)
    app = FastAPI()

    @app.post("/orders", status_code=201)
    def order(customer: str, cents: int) -> dict[str, object]:
        with Session(database) as session:
            row = Order(customer=customer, cents=cents)
            session.add(row)
            session.commit()
            engine.create("order", row.machine, cents=row.cents, source="shop", id=row.machine)
            return {"id": row.id, "state": engine.get(row.machine).state}

    @app.get("/orders/{number}")
    def look(number: int) -> dict[str, object]:
        with Session(database) as session:
            row = session.get(Order, number)
            if row is None:
                raise HTTPException(404)
            allowed = [offer.event for offer in engine.enabled(row.machine)]
            return {"customer": row.customer, "state": engine.get(row.machine).state, "allowed": allowed}

    @app.post("/orders/{number}/{event}")
    def say(number: int, event: str, key: str) -> dict[str, object]:
        try:
            receipt = engine.send(f"order-{number}", event, source="shop", id=key)
        except IdempotencyError as error:
            raise HTTPException(422, str(error)) from error
        except UnknownName as error:
            raise HTTPException(404, str(error)) from error
        if not receipt.accepted:
            raise HTTPException(409, receipt.refusal)
        return {"state": receipt.decision.states[-1]}

    return app
